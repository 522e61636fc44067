/**
 * Forbids `async` and `await`. For code that decides and never waits; the globals that wait or tell the time are
 * forbidden beside it, in .oxlintrc.json.
 */
export const noAsync = {
  /** @param {import("./plugin.mjs").RuleContext} context */
  create(context) {
    /** @param {any} node */
    const refuse = (node) => context.report({ node, message: "This folder decides and never waits: no async code." });
    /** @param {any} node */
    const refuseAsync = (node) => {
      if (node.async === true) refuse(node);
    };
    return {
      FunctionDeclaration: refuseAsync,
      FunctionExpression: refuseAsync,
      ArrowFunctionExpression: refuseAsync,
      AwaitExpression: refuse,
      /** @param {any} node */
      ForOfStatement(node) {
        if (node.await === true) refuse(node);
      },
      /** @param {any} node */
      VariableDeclaration(node) {
        if (node.kind === "await using") refuse(node);
      },
    };
  },
};
