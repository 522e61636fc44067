/** The shortest way in: a function in a module of its own, run over a list on every core. */
import { createEngine, task } from "@threadmill/engine";
import type countPrimes from "./primes.js";

const engine = createEngine();
const primes = task<typeof countPrimes>(new URL("./primes.js", import.meta.url));
const limits = Array.from({ length: 40 }, (_, i) => 1_000 * (i + 1));
const counts = await engine.map(primes, limits);
console.log(`${counts.at(-1)} primes below ${limits.at(-1)}`);
await engine.close();
