/** The lint rules of this repository, for oxlint (`jsPlugins` in .oxlintrc.json). */
import { importDirection } from "./import-direction.mjs";
import { noAsync } from "./no-async.mjs";

/**
 * What our rules use of the context that oxlint hands them. Nodes are ESTree; oxlint publishes no type for them in
 * the package that we install, so they are `any` here.
 * @typedef {{ filename: string, report(finding: { node: any, message: string }): void }} RuleContext
 */

export default {
  meta: { name: "threadmill" },
  rules: { "import-direction": importDirection, "no-async": noAsync },
};
