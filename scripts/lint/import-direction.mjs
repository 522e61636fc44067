/**
 * Who may import whom. The direction is section 3 of the design: dependencies point one way, downwards, and each
 * heavy or hard-to-contain dependency has one place that knows it.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.mjs";

/**
 * The workspace packages that a package's source may import, by public name. A package that is not listed here, such
 * as a new one, may import all public faces. Tests may too: what they test together is theirs to say.
 * @type {Record<string, readonly string[]>}
 */
const mayImport = {
  protocol: [],
  workers: ["@threadmill/protocol"],
  cache: ["@threadmill/protocol"],
  // Of workers only the batch runner, for the inline mode, and the path of the thread entry.
  engine: [
    "@threadmill/protocol",
    "@threadmill/cache",
    "@threadmill/workers/runner",
    "@threadmill/workers/thread-entry",
  ],
};

/**
 * Dependencies with one home. Elsewhere it is the home that is imported, so that it can change.
 * @type {Record<string, RegExp>}
 */
const homes = {
  piscina: /^packages\/engine\/src\/runners\/piscina-runner\.ts$|^bench\//,
  comlink: /^packages\/engine\/(src\/remote|test)\/|^bench\//,
  "lru-cache": /^packages\/cache\/|^bench\//,
  // Natives are loaded by the one task that needs them, in threads only. Tests make pictures and models with them.
  sharp:
    /^packages\/(workers\/src\/tasks|conformance\/src\/native-safety)\/|^packages\/[^/]+\/test\/|^examples\/|^bench\//,
  "onnxruntime-node":
    /^packages\/(workers\/src\/tasks|conformance\/src\/native-safety)\/|^packages\/[^/]+\/test\/|^examples\/|^bench\//,
};

/** Nothing imports these. */
const leaves = new Set(["@threadmill/examples", "@threadmill/photo-indexer", "@threadmill/bench"]);

export const importDirection = {
  /** @param {import("./plugin.mjs").RuleContext} context */
  create(context) {
    const file = path.relative(fileURLToPath(root), context.filename).replaceAll(path.sep, "/");
    /** @param {any} source @param {any} node */
    const check = (source, node) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const message = complaint(file, source.value, isTypeOnly(node));
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      /** @param {any} node */
      ImportDeclaration: (node) => check(node.source, node),
      /** @param {any} node */
      ExportNamedDeclaration: (node) => check(node.source, node),
      /** @param {any} node */
      ExportAllDeclaration: (node) => check(node.source, node),
      /** @param {any} node */
      ImportExpression: (node) => check(node.source, node),
      /** `import("…").Name` as a type. @param {any} node */
      TSImportType: (node) => check(node.source ?? node.argument?.literal ?? node.argument, node),
      /** @param {any} node */
      TSExternalModuleReference: (node) => check(node.expression, node),
      /** `require("…")`, `import.meta.resolve("…")`. @param {any} node */
      CallExpression(node) {
        const name = node.callee.type === "MemberExpression" ? node.callee.property.name : node.callee.name;
        if (name === "require" || name === "resolve") check(node.arguments[0], node);
      },
      /** `new URL("./…", import.meta.url)`. @param {any} node */
      NewExpression(node) {
        const base = node.arguments[1];
        if (node.callee.name === "URL" && base?.object?.type === "MetaProperty") check(node.arguments[0], node);
      },
    };
  },
};

/** @param {any} node */
function isTypeOnly(node) {
  return node.type === "TSImportType" || node.importKind === "type" || node.exportKind === "type";
}

/**
 * What is wrong with an import, if anything.
 * @param {string} file where it stands, from the top of the repository
 * @param {string} specifier
 * @param {boolean} typeOnly
 * @returns {string | undefined}
 */
function complaint(file, specifier, typeOnly) {
  const relative = /^\.{1,2}(\/|$)/.test(specifier);
  const target = relative ? path.posix.join(path.posix.dirname(file), specifier) : specifier;

  if (file.startsWith("packages/engine/src/scheduler/")) {
    const inside = relative && target.startsWith("packages/engine/src/scheduler/");
    const protocolTypes = specifier === "@threadmill/protocol" && typeOnly;
    if (!inside && !protocolTypes)
      return "The scheduler is pure: it imports its own files, and types of @threadmill/protocol.";
  }

  if (relative) {
    const unit = unitOf(file);
    return target === unit || target.startsWith(unit)
      ? undefined
      : `${target} is not ours. Packages import each other by their public names, and nothing imports an example.`;
  }

  const name = packageName(specifier);
  const home = Object.hasOwn(homes, name) ? homes[name] : undefined;
  if (home?.test(file) === false)
    return `${name} is not imported here, but only in ${home.source.replaceAll("\\", "")}`;

  if (leaves.has(name)) return `Nothing imports ${name}.`;

  const from = /^packages\/([^/]+)\/src\//.exec(file)?.[1];
  if (from === "protocol") return "protocol imports nothing: no I/O, no timers, no dependencies.";
  const allowed = from === undefined || !Object.hasOwn(mayImport, from) ? undefined : mayImport[from];
  if (specifier.startsWith("@threadmill/") && allowed !== undefined && !allowed.includes(specifier)) {
    return `${from} may import ${allowed.join(", ")}, and not ${specifier}.`;
  }
  return undefined;
}

/**
 * The folder whose files a file may reach by a relative path: a package's source its source, a package's tests the
 * package, an example or benchmark its own folder. Scripts and configuration may reach all.
 * @param {string} file
 */
function unitOf(file) {
  return (
    /^(packages\/[^/]+\/src\/|packages\/[^/]+\/|examples\/photo-indexer\/|examples\/|bench\/)/.exec(file)?.[0] ?? ""
  );
}

/** @param {string} specifier */
function packageName(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
