/** Loads a package that the user installs only for the tasks that need it. */
import { FinalError } from "@threadmill/protocol";

/** A native package that is not installed, or whose binary does not load here. */
export class PeerPackageError extends FinalError {
  static {
    this.prototype.name = "PeerPackageError";
  }
  readonly code = "PEER_PACKAGE_UNUSABLE";
  /** The npm name of the package. */
  readonly packageName: string;
  constructor(packageName: string, message: string, options: { readonly cause: unknown }) {
    super(message, options);
    this.packageName = packageName;
  }
}

/**
 * Runs `load`, which imports `packageName`, and says how to install it where it is missing.
 *
 * The import itself stays with the caller, as a literal `import("sharp")`, so that bundlers and type checkers see it.
 *
 * @throws {PeerPackageError} the package is not installed, or its import threw (wrong platform, damaged install).
 */
export async function loadPeer<Module>(
  task: string,
  packageName: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const install = `npm install ${packageName}`;
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    // The same code is raised for a missing file inside the package, so its name must be what was not found.
    const missing =
      (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && String(message).includes(`'${packageName}'`);
    const text = missing
      ? `${task} needs the package ${packageName}, which is not installed: ${install}`
      : `${task} needs the package ${packageName}, which could not be loaded (${String(message)}); try ${install}`;
    throw new PeerPackageError(packageName, text, { cause });
  }
}
