/**
 * Six kinds of picture that a family album holds, each a few lines over the canvas. They are not meant to fool
 * anyone: they have the light, texture, edges and sizes of photos, so that every stage has real work to do, and no
 * two of them are alike, so that every duplicate found was planted.
 */
import { Canvas, type Blob, type Color, type Texture } from "./canvas.js";
import type { Random } from "./random.js";

export const SCENES = ["hills", "sea", "city", "garden", "bokeh", "table"] as const;
export type Scene = (typeof SCENES)[number];

/** Paints a scene; everything about it comes from `random`. */
export function paintScene(scene: Scene, width: number, height: number, noise: Float32Array, random: Random): Canvas {
  const canvas = new Canvas(width, height, noise);
  painters[scene](canvas, random);
  return canvas;
}

const painters: Readonly<Record<Scene, (canvas: Canvas, random: Random) => void>> = {
  hills: (canvas, random) => {
    const horizon = canvas.height * random.between(0.3, 0.55);
    const sky = paintSky(canvas, random, horizon);
    const near = hue(random.between(60, 160), random.between(0.2, 0.6), random.between(40, 90));
    const layers = random.whole(2, 5);
    for (let layer = 0; layer < layers; layer++) {
      const depth = (layer + 1) / layers;
      const base = horizon + (canvas.height - horizon) * 0.75 * (layer / layers);
      const ridge = ridgeLine(random, canvas, base, canvas.height * random.between(0.06, 0.22));
      canvas.columns(ridge, canvas.height, blend(sky, near, depth), blend(sky, darker(near), depth), rough(random, 34));
      for (let trees = layer === layers - 1 ? random.whole(0, 14) : 0; trees > 0; trees--)
        paintTree(canvas, random, ridge);
    }
  },

  sea: (canvas, random) => {
    const horizon = canvas.height * random.between(0.35, 0.65);
    const sky = paintSky(canvas, random, horizon);
    const water = hue(random.between(170, 230), random.between(0.3, 0.7), random.between(60, 130));
    const waves: Texture = {
      ...rough(random, random.between(25, 60)),
      scaleX: random.between(0.2, 0.6),
      scaleY: random.between(1.5, 4),
    };
    canvas.gradient(horizon, canvas.height, blend(sky, water, 0.6), darker(water), waves);
    for (let islands = random.whole(0, 3); islands > 0; islands--) {
      const middle = random.between(0, canvas.width);
      const reach = canvas.width * random.between(0.05, 0.25);
      const tall = canvas.height * random.between(0.03, 0.18);
      const shape = ridgeLine(random, canvas, 0, tall * 0.4);
      const top = (x: number): number => horizon - tall * Math.max(0, 1 - ((x - middle) / reach) ** 2) + shape(x) * 0.4;
      canvas.columns(
        (x) => Math.min(top(x), horizon),
        horizon + 1,
        blend(water, [60, 70, 50], 0.6),
        [40, 50, 45],
        rough(random, 25),
      );
    }
    if (random.chance(0.7)) {
      const shore = ridgeLine(random, canvas, canvas.height * random.between(0.75, 0.95), canvas.height * 0.12);
      canvas.columns(shore, canvas.height, [214, 196, 158], [170, 148, 112], rough(random, 30));
    }
    for (let boats = random.whole(0, 5); boats > 0; boats--) paintBoat(canvas, random, horizon);
  },

  city: (canvas, random) => {
    const ground = canvas.height * random.between(0.75, 0.95);
    const sky = paintSky(canvas, random, ground);
    const night = random.chance(0.4);
    for (let row = 0; row < 3; row++) {
      for (let x = -random.between(0, 40); x < canvas.width;) {
        const wide = canvas.width * random.between(0.04, 0.16);
        const top = ground - canvas.height * random.between(0.1, 0.75 - row * 0.15);
        const wall = blend(
          sky,
          hue(random.between(0, 360), random.between(0.05, 0.35), night ? 45 : random.between(70, 190)),
          (row + 1) / 3,
        );
        canvas.box(x, top, x + wide, ground, wall, rough(random, 14));
        paintWindows(canvas, random, x, top, x + wide, ground, night);
        x += wide + random.between(0, canvas.width * 0.05);
      }
    }
    canvas.gradient(ground, canvas.height, [96, 96, 100], [60, 60, 64], rough(random, 26));
  },

  garden: (canvas, random) => {
    const lawn = hue(random.between(80, 130), random.between(0.3, 0.6), random.between(60, 120));
    canvas.gradient(
      0,
      canvas.height,
      blend(lawn, [200, 220, 190], random.between(0, 0.5)),
      darker(lawn),
      rough(random, 48),
    );
    const petals = random.whole(5, 9);
    for (let flowers = random.whole(8, 40); flowers > 0; flowers--) {
      const size = Math.min(canvas.height * 0.3, (canvas.height * 0.03) / random.between(0.08, 1));
      paintFlower(canvas, random, size, petals);
    }
  },

  bokeh: (canvas, random) => {
    const base = hue(random.between(0, 360), random.between(0.2, 0.7), random.between(50, 120));
    canvas.gradient(
      0,
      canvas.height,
      base,
      hue(random.between(0, 360), 0.4, random.between(40, 110)),
      rough(random, 10),
    );
    for (let lights = random.whole(20, 60); lights > 0; lights--) {
      const radius = canvas.height * random.between(0.02, 0.12);
      const glow = hue(random.between(0, 360), random.between(0.1, 0.9), random.between(120, 220));
      canvas.blob({
        ...place(canvas, random),
        radiusX: radius,
        radiusY: radius,
        angle: 0,
        color: glow,
        shade: 0,
        softness: random.between(0.1, 0.8),
        opacity: random.between(0.2, 0.6),
        texture: rough(random, 4),
      });
    }
    for (let stems = random.whole(2, 6); stems > 0; stems--) {
      paintFlower(canvas, random, canvas.height * random.between(0.12, 0.35), random.whole(4, 11));
    }
  },

  table: (canvas, random) => {
    const edge = canvas.height * random.between(0.25, 0.6);
    const wall = hue(random.between(0, 360), random.between(0.05, 0.4), random.between(110, 210));
    canvas.gradient(0, edge, wall, darker(wall), rough(random, 16));
    const wood: Texture = {
      ...rough(random, random.between(20, 50)),
      scaleX: random.between(0.2, 0.6),
      scaleY: random.between(1, 3),
    };
    canvas.gradient(edge, canvas.height, hue(random.between(15, 45), 0.5, random.between(90, 170)), [70, 46, 30], wood);
    for (let things = random.whole(4, 14); things > 0; things--) {
      const radius = canvas.height * random.between(0.04, 0.2);
      const x = random.between(0, canvas.width);
      const y = random.between(edge - radius * 0.5, canvas.height);
      const shape: Blob = {
        x,
        y,
        radiusX: radius,
        radiusY: radius * random.between(0.5, 1.6),
        angle: random.between(-0.6, 0.6),
        color: hue(random.between(0, 360), random.between(0.2, 0.9), random.between(70, 220)),
        shade: random.between(0.3, 0.8),
        softness: 0.05,
        opacity: 1,
        texture: rough(random, random.between(4, 40)),
      };
      canvas.blob({
        ...shape,
        x: x + radius * 0.3,
        y: y + shape.radiusY * 0.8,
        radiusY: radius * 0.4,
        color: [20, 16, 14],
        shade: 0,
        softness: 0.9,
        opacity: 0.6,
      });
      if (random.chance(0.3))
        canvas.box(x - radius, y - shape.radiusY, x + radius, y + radius * 0.4, shape.color, shape.texture);
      else canvas.blob(shape);
    }
  },
};

/** Sky with clouds and perhaps a sun; answers the haze colour that far things take on. */
function paintSky(canvas: Canvas, random: Random, horizon: number): Color {
  const zenith = hue(random.pick([205, 215, 225, 25, 340, 265]), random.between(0.25, 0.7), random.between(70, 200));
  const haze = blend(zenith, hue(random.between(15, 60), random.between(0.2, 0.7), 215), random.between(0.4, 0.9));
  const clouds: Texture = {
    ...rough(random, random.between(5, 75)),
    scaleX: random.between(0.2, 0.7),
    scaleY: random.between(0.5, 1.6),
  };
  canvas.gradient(0, canvas.height, zenith, haze, clouds);
  if (random.chance(0.6)) {
    const sun = {
      x: random.between(0, canvas.width),
      y: random.between(0, horizon),
      angle: 0,
      shade: 0,
      texture: rough(random, 2),
    };
    const glow = canvas.height * random.between(0.1, 0.35);
    canvas.blob({ ...sun, radiusX: glow, radiusY: glow, color: [255, 236, 190], softness: 1, opacity: 0.7 });
    canvas.blob({ ...sun, radiusX: glow / 5, radiusY: glow / 5, color: [255, 250, 235], softness: 0.15, opacity: 1 });
  }
  return haze;
}

/** A skyline as a sum of waves with random phases, each half as high and twice as fine as the one before. */
function ridgeLine(random: Random, canvas: Canvas, base: number, height: number): (x: number) => number {
  const waves = Array.from({ length: 7 }, (_, i) => ({
    pace: ((2 * Math.PI) / canvas.width) * 2 ** i * random.between(0.6, 1.3),
    phase: random.between(0, 2 * Math.PI),
    size: (height / 1.75 ** i) * random.between(0.4, 1),
  }));
  return (x) => base + waves.reduce((sum, wave) => sum + Math.sin(x * wave.pace + wave.phase) * wave.size, 0);
}

function paintTree(canvas: Canvas, random: Random, ground: (x: number) => number): void {
  const x = random.between(0, canvas.width);
  const foot = ground(x) + canvas.height * random.between(0.02, 0.2);
  const tall = canvas.height * random.between(0.08, 0.35);
  const leaves = hue(random.between(30, 150), random.between(0.3, 0.7), random.between(25, 80));
  canvas.box(x - tall * 0.03, foot - tall * 0.5, x + tall * 0.03, foot, [58, 42, 30], rough(random, 18));
  for (let crown = random.whole(3, 7); crown > 0; crown--) {
    const radius = tall * random.between(0.12, 0.28);
    canvas.blob({
      x: x + random.between(-0.2, 0.2) * tall,
      y: foot - tall * random.between(0.45, 0.95),
      radiusX: radius,
      radiusY: radius * 0.85,
      angle: 0,
      color: leaves,
      shade: 0.3,
      softness: 0.25,
      opacity: 1,
      texture: rough(random, 46),
    });
  }
}

function paintBoat(canvas: Canvas, random: Random, horizon: number): void {
  const x = random.between(0, canvas.width);
  const y = random.between(horizon, canvas.height * 0.9);
  const long = canvas.width * random.between(0.02, 0.06) * (0.5 + (y - horizon) / canvas.height);
  const texture = rough(random, 8);
  canvas.box(x - long, y, x + long, y + long * 0.35, hue(random.between(0, 360), 0.6, 90), texture);
  canvas.box(x - long * 0.06, y - long * 2, x + long * 0.06, y, [70, 60, 50], texture);
  canvas.blob({
    x: x + long * 0.5,
    y: y - long,
    radiusX: long * 0.5,
    radiusY: long,
    angle: 0.25,
    color: [240, 238, 228],
    shade: 0.2,
    softness: 0.1,
    opacity: 1,
    texture,
  });
}

function paintWindows(
  canvas: Canvas,
  random: Random,
  left: number,
  top: number,
  right: number,
  bottom: number,
  night: boolean,
): void {
  const pitch = random.between(6, 16);
  const lit: Color = night ? [250, 220, 140] : [190, 210, 230];
  const flat = rough(random, 0);
  for (let y = top + pitch * 0.6; y < bottom - pitch; y += pitch * 1.3) {
    for (let x = left + pitch * 0.4; x < right - pitch * 0.6; x += pitch) {
      const color = random.chance(night ? 0.4 : 0.75) ? lit : ([44, 50, 62] as const);
      canvas.box(x, y, x + pitch * 0.55, y + pitch * 0.7, color, flat);
    }
  }
}

function paintFlower(canvas: Canvas, random: Random, size: number, petals: number): void {
  const { x, y } = place(canvas, random);
  const turn = random.between(0, Math.PI);
  const color = hue(random.between(0, 360), random.between(0.4, 0.95), random.between(130, 235));
  const texture = rough(random, 22);
  for (let petal = 0; petal < petals; petal++) {
    const angle = turn + (petal * 2 * Math.PI) / petals;
    canvas.blob({
      x: x + Math.cos(angle) * size * 0.55,
      y: y + Math.sin(angle) * size * 0.55,
      radiusX: size * 0.55,
      radiusY: size * random.between(0.18, 0.34),
      angle,
      color,
      shade: 0.3,
      softness: 0.15,
      opacity: 0.95,
      texture,
    });
  }
  canvas.blob({
    x,
    y,
    radiusX: size * 0.25,
    radiusY: size * 0.25,
    angle: 0,
    color: [236, 190, 60],
    shade: 0.4,
    softness: 0.2,
    opacity: 1,
    texture,
  });
}

function place(canvas: Canvas, random: Random): { x: number; y: number } {
  return { x: random.between(0, canvas.width), y: random.between(0, canvas.height) };
}

function rough(random: Random, depth: number): Texture {
  return { depth, scaleX: random.between(0.6, 2), scaleY: random.between(0.6, 2), offset: random.whole(0, 65_535) };
}

/** A colour by hue in degrees, saturation 0 to 1, and light 0 to 255. */
function hue(degrees: number, saturation: number, light: number): Color {
  const channel = (shift: number): number => {
    const wave = Math.cos(((degrees - shift) * Math.PI) / 180);
    return light * (1 + saturation * wave);
  };
  return [channel(0), channel(120), channel(240)];
}

function blend(from: Color, to: Color, share: number): Color {
  const mix = (i: 0 | 1 | 2): number => from[i] + (to[i] - from[i]) * share;
  return [mix(0), mix(1), mix(2)];
}

function darker(color: Color): Color {
  return blend(color, [0, 0, 0], 0.45);
}
