/** A client of the service, with nothing but `fetch`: what the curl lines of the README do, and does it hold? */
import assert from "node:assert/strict";

export async function demo(address: string): Promise<void> {
  const ask = (path: string, below: unknown): Promise<Response> =>
    fetch(`${address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ below }),
    });

  const refused = await ask("/jobs", "many");
  console.log(`${refused.status} ${((await refused.json()) as { message: string }).message}`);
  assert.equal(refused.status, 400);

  const started = await ask("/jobs", 1_000_000);
  const { id } = (await started.json()) as { id: string };
  console.log(`${started.status} ${id}`);
  const events = await (await fetch(`${address}/jobs/${id}/events`)).text();
  console.log(events.trim().split("\n").slice(-3).join("\n"));
  assert.match(events, /event: settled\n.*"primes":78498\b/);

  const long = await ask("/run", 1_000_000_000);
  const stopped = await fetch(`${address}/jobs/primes-below-1000000000`, { method: "DELETE" });
  console.log(`${stopped.status} ${await stopped.text()}`);
  assert.match(await long.text(), /"state":"cancelled"/);

  const unknown = await fetch(`${address}/jobs/primes-below-7`);
  console.log(`${unknown.status} ${((await unknown.json()) as { message: string }).message}`);
  assert.equal(unknown.status, 404);
}
