import type { PublishedPhoto } from "../catalog/records.js";
import { formatBytes, plural } from "./format.js";
import type { IndexContent } from "./index-json.js";

/** Beyond this many a browser has no joy with one page; the catalog and `index.json` hold all of them. */
const MAX_PHOTOS = 5000;
const MAX_GROUPS = 500;

/**
 * The contact sheet: one HTML file without scripts, beside the folder of thumbnails that it shows. It can be opened
 * from disk, moved together with the index, or served as it is.
 *
 * Names come from strangers' disks: each goes through {@link escapeHtml} for text, and {@link urlOfPath} for links.
 */
export function* renderContactSheet(content: IndexContent): Generator<string, void, undefined> {
  const shown: PublishedPhoto[] = [];
  const byContent = new Map<number, PublishedPhoto[]>();
  let total = 0;
  for (const photo of content.photos()) {
    if (total++ < MAX_PHOTOS) shown.push(photo);
    const files = byContent.get(photo.contentId) ?? [];
    files.push(photo);
    byContent.set(photo.contentId, files);
  }
  const exact = [...byContent.values()].filter((files) => files.length > 1);
  const inNear = new Set(content.groups.flat().map(({ contentId }) => contentId));

  yield head(content);
  yield `<p>${plural(total, "photo")}, ${plural(exact.length, "group")} of exact duplicates, ${plural(content.groups.length, "group")} of near duplicates, ${plural(content.broken.length, "broken file")}. Made ${escapeHtml(content.finishedAt)} with ${escapeHtml(content.model)}.</p>\n`;

  if (exact.length > 0) yield "<h2>Exact duplicates</h2>\n";
  for (const files of exact.slice(0, MAX_GROUPS)) {
    const [first] = files;
    if (first === undefined) continue;
    const names = files.map(({ path }) => `<li>${escapeHtml(path)}</li>`).join("");
    yield `<section class="group">${picture(first)}<ul>${names}</ul></section>\n`;
  }
  yield more(exact.length - MAX_GROUPS, "group");

  if (content.groups.length > 0) yield "<h2>Near duplicates</h2>\n";
  for (const group of content.groups.slice(0, MAX_GROUPS)) {
    const members = group.flatMap(({ contentId, score }, i) => {
      const photo = byContent.get(contentId)?.[0];
      if (photo === undefined) return [];
      const note = i === 0 ? "best of the group" : `likeness ${score.toFixed(3)}`;
      return [figure(photo, `${note}, ${photo.width} × ${photo.height}, ${formatBytes(photo.sizeBytes)}`, "")];
    });
    yield `<section class="group">${members.join("")}</section>\n`;
  }
  yield more(content.groups.length - MAX_GROUPS, "group");

  yield '<h2>All photos</h2>\n<div class="photos">\n';
  for (const photo of shown) {
    const marks = [
      (byContent.get(photo.contentId)?.length ?? 0) > 1 ? "<b>exact duplicate</b>" : "",
      inNear.has(photo.contentId) ? "<b>near duplicate</b>" : "",
    ];
    yield `${figure(photo, photo.takenAt ?? `${photo.width} × ${photo.height}`, marks.join(" "))}\n`;
  }
  yield `</div>\n${more(total - MAX_PHOTOS, "photo")}`;

  if (content.broken.length > 0) yield "<h2>Broken files</h2>\n<table>\n";
  for (const { path, code, reason } of content.broken) {
    yield `<tr><td>${escapeHtml(path)}</td><td>${escapeHtml(code)}</td><td>${escapeHtml(reason)}</td></tr>\n`;
  }
  if (content.broken.length > 0) yield "</table>\n";
  yield "</main></body></html>\n";
}

function head({ album }: IndexContent): string {
  const name = escapeHtml(album);
  // No scripts here; and none that a name could smuggle in, should an escape ever be missed.
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1400px; padding: 1rem 2rem; }
figure { display: inline-block; vertical-align: top; width: 180px; margin: 0 8px 12px 0; }
img { width: 180px; height: 140px; object-fit: contain; background: #8882; border-radius: 3px; }
figcaption { overflow-wrap: anywhere; font-size: 12px; }
figcaption small { opacity: .7; } figcaption b { color: #b60; font-weight: 600; display: block; }
.group { border-left: 3px solid #b60; padding-left: 12px; margin: 12px 0; }
.group ul { display: inline-block; vertical-align: top; margin: 0; } td { padding-right: 1.5em; overflow-wrap: anywhere; }
</style></head><body><main>
<h1>${name}</h1>
`;
}

function figure(photo: PublishedPhoto, note: string, marks: string): string {
  const caption = `${escapeHtml(photo.path)}<br><small>${escapeHtml(note)}</small>${marks}`;
  return `<figure>${picture(photo)}<figcaption>${caption}</figcaption></figure>`;
}

function picture(photo: PublishedPhoto): string {
  return `<img loading="lazy" src="${escapeHtml(urlOfPath(photo.thumbnail))}" alt="${escapeHtml(photo.path)}">`;
}

function more(count: number, thing: string): string {
  return count > 0 ? `<p>… and ${plural(count, `more ${thing}`)}; all are in index.json.</p>\n` : "";
}

/** A relative path as a relative URL: `#`, `?` and `%` in a name mean something else there. */
export function urlOfPath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** Text that can stand between tags and in attributes with double quotes. */
export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (char) => names[char] ?? char);
}
