/** Two small tasks over text. */
export function splitWords(line: string): string[] {
  return line.toLowerCase().match(/\p{Letter}+/gu) ?? [];
}

export function longest(words: string[]): string {
  return words.reduce((best, word) => (word.length > best.length ? word : best), "");
}
