/** Small work on strings and small objects: what travels costs more than what is done. */

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
}

export interface Greeting {
  readonly id: number;
  readonly greeting: string;
  readonly tags: number;
}

export function shout(text: string): string {
  return `${text}!`;
}

export function greet({ id, name, tags }: Person): Greeting {
  return { id, greeting: `Hello ${name}`, tags: tags.length };
}

export function shoutMapped(items: string[]): string[] {
  return items.map(shout);
}

export function greetMapped(items: Person[]): Greeting[] {
  return items.map(greet);
}

export function shoutPacked(items: string[]): string[] {
  const results: string[] = [];
  for (const item of items) results.push(shout(item));
  return results;
}

export function greetPacked(items: Person[]): Greeting[] {
  const results: Greeting[] = [];
  for (const item of items) results.push(greet(item));
  return results;
}
