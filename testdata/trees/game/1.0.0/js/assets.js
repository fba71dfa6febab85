// What the game loads, and from where. Paths are relative to the page.
const IMAGES = {
  crops: 'img/sprites/crops.png',
  farmer: 'img/sprites/farmer.png',
  hill: 'img/tiles/hügel.png',
  soil: 'img/tiles/soil.png',
};
const LEVELS = ['01-meadow', '02-terraces', '03-crater'];
const LANGUAGES = { en: 'english', fr: 'français', ja: '日本語' };
export const SOUNDS = {
  harvest: 'audio/harvest.wav',
  plop: 'audio/plop.wav',
  theme: 'audio/theme.wav',
};

export async function loadImages() {
  const pairs = await Promise.all(
    Object.entries(IMAGES).map(async ([name, path]) => [name, await loadImage(path)]),
  );
  return Object.fromEntries(pairs);
}

function loadImage(path) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(`no image at ${path}`));
    image.src = encodeURI(path);
  });
}

async function loadJson(path) {
  const response = await fetch(encodeURI(path));
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

export function loadLevel(name) {
  if (!LEVELS.includes(name)) throw new Error(`there is no level '${name}'`);
  return loadJson(`data/levels/${name}.json`);
}

export function loadStrings(tag) {
  const language = LANGUAGES[tag.slice(0, 2)] ?? LANGUAGES.en;
  return loadJson(`data/strings/${language}.json`);
}

export async function loadEngine() {
  const { instance } = await WebAssembly.instantiateStreaming(fetch('wasm/engine.wasm'));
  return instance.exports;
}
