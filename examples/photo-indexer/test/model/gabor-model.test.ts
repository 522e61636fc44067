import { createHash } from "node:crypto";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noiseTile } from "../../src/album/noise.js";
import { createRandom } from "../../src/album/random.js";
import { paintScene } from "../../src/album/scenes.js";
import { buildGaborModel, EMBEDDING_SIZE, INPUT_NAME, INPUT_SIZE, OUTPUT_NAME } from "../../src/model/gabor-graph.js";

const noise = noiseTile(1);

describe("the built-in model", () => {
  let session: ort.InferenceSession;
  beforeAll(async () => {
    session = await ort.InferenceSession.create(buildGaborModel(), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  });
  afterAll(async () => {
    await session.release();
  });

  async function embed(...pictures: readonly (Uint8Array | Uint8ClampedArray)[]): Promise<Float32Array[]> {
    const bytes = new Uint8Array(pictures.length * INPUT_SIZE * INPUT_SIZE * 3);
    pictures.forEach((picture, i) => bytes.set(picture, i * INPUT_SIZE * INPUT_SIZE * 3));
    const input = new ort.Tensor("uint8", bytes, [pictures.length, INPUT_SIZE, INPUT_SIZE, 3]);
    const output = (await session.run({ [INPUT_NAME]: input }))[OUTPUT_NAME];
    expect(output?.dims).toEqual([pictures.length, EMBEDDING_SIZE]);
    const data = output?.data as Float32Array;
    return pictures.map((_, i) => data.slice(i * EMBEDDING_SIZE, (i + 1) * EMBEDDING_SIZE));
  }

  const scene = (seed: number): Uint8ClampedArray =>
    paintScene("hills", INPUT_SIZE, INPUT_SIZE, noise, createRandom(seed)).pixels;
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

  it("is the same bytes on every machine, so that indexes made apart can be compared", () => {
    const hash = createHash("sha256").update(buildGaborModel()).digest("hex");
    expect(hash).toBe("7c0ba0dae62db5865e1ac041461988482cb8424879b34271dcd216cd38c55661");
  });

  it("answers vectors of length 1, one per picture of a batch, and the same alone as in company", async () => {
    const [a, b] = await embed(scene(1), scene(2));
    const [alone] = await embed(scene(2));
    expect(dot(a!, a!)).toBeCloseTo(1, 5);
    expect(dot(b!, alone!)).toBeCloseTo(1, 5);
  });

  it("sees hardly a difference in a brighter, grainier copy, and a clear one in another scene", async () => {
    const original = scene(3);
    const random = createRandom(9);
    const edited = original.map((value) => value * 1.15 + random.between(-4, 4));
    const [a, b, other] = await embed(original, edited, scene(4));
    expect(dot(a!, b!)).toBeGreaterThan(0.99);
    expect(dot(a!, other!)).toBeLessThan(0.985);
  });

  it("keeps pictures that show nothing near zero, so that black frames are not all duplicates", async () => {
    const flat = (level: number): Uint8Array => new Uint8Array(INPUT_SIZE * INPUT_SIZE * 3).fill(level);
    for (const vector of await embed(flat(0), flat(128), flat(255))) expect(dot(vector, vector)).toBeLessThan(0.1);
  });
});
