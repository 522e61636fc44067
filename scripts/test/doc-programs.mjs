/** The programs in a page: their files, and what they say that they print. */

/**
 * @typedef {object} DocProgram
 * @property {string} name the page, and the heading above it
 * @property {ReadonlyMap<string, string>} files code by file name
 * @property {string} main the file that is run
 * @property {readonly string[] | undefined} prints lines; undefined for a test, whose report is nobody's business
 */

/**
 * The blocks under one heading that begin with a file's name are the files of one program, if one of them is `main`.
 * @param {string} page
 * @param {string} text
 * @returns {DocProgram[]}
 */
export function programsOf(page, text) {
  return text.split(/^## /m).flatMap((section) => {
    const blocks = section.matchAll(/^```[jt]s\n(\/\/ (?<file>[\w.]+\.[cm]?[jt]s).*?)^```$/gms);
    const files = new Map([...blocks].map(({ 1: code = "", groups }) => [groups?.["file"] ?? "", code]));
    const main = [...files.keys()].find((file) => file.startsWith("main"));
    if (main === undefined) return [];
    const prints = main.includes(".test.") ? undefined : printsOf(files.get(main) ?? "");
    return [{ name: `${page}, ${section.slice(0, section.indexOf("\n"))}`, files, main, prints }];
  });
}

/**
 * It is in comments: behind a line that has `console.log(…)` in it, or on lines of their own after one.
 * @param {string} code
 */
function printsOf(code) {
  const [, ...after] = code.split("console.log(");
  return after.flatMap((piece) => {
    const [first = "", ...lines] = piece.split("\n");
    const behind = first.split("; // ")[1] ?? first.split(") // ")[1];
    const below = lines.slice(
      0,
      lines.findIndex((line) => !line.startsWith("// ")),
    );
    return [...(behind === undefined ? [] : [behind]), ...below.map((line) => line.slice(3))];
  });
}
