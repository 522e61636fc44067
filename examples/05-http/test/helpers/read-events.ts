/** Server-sent events as a browser would read them. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

/** Yields the events of a response as they come; ends with it, and throws if the connection breaks. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  for await (const block of readBlocks(response)) {
    const fields = new Map(block.split("\n").map((line) => splitAt(line, ":")));
    const data = fields.get("data");
    if (data === undefined) continue;
    yield {
      event: fields.get("event") ?? "message",
      id: fields.get("id"),
      data: JSON.parse(data) as Record<string, unknown>,
    };
  }
}

/** What stands between empty lines, comments too. */
export async function* readBlocks(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop() ?? "";
    yield* blocks;
  }
  if (text !== "") throw new Error(`the stream ended within an event: ${text}`);
}

export async function allEvents(response: Response): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(response)) events.push(event);
  return events;
}

function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return [line.slice(0, at), line.slice(at + 1).trim()];
}
