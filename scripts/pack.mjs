/**
 * `npm run pack [-- <folder>]`: the public packages as archives that `npm install` takes, for an application elsewhere.
 * Prints the command that installs them.
 */
import "./lib/check-node.mjs";

const path = await import("node:path");
const { pack, publicPackages } = await import("./lib/public-packages.mjs");
const { endAs } = await import("./lib/run.mjs");
const { setUp } = await import("./lib/setup.mjs");

await setUp();

// npm runs scripts at the top of the repository; folders are meant from where the user typed the command.
const folder = path.resolve(process.env["INIT_CWD"] ?? process.cwd(), process.argv[2] ?? "archives");
const archives = [];
for (const from of publicPackages()) {
  const archive = path.join(folder, `threadmill-${path.basename(from)}.tgz`);
  const packed = await pack(from, archive);
  if (packed.code !== 0) {
    process.stderr.write(packed.output);
    endAs(packed);
  }
  archives.push(archive);
}
console.log(`npm install ${archives.map((archive) => JSON.stringify(archive)).join(" ")}`);
