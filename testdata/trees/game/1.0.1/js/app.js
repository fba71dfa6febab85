import { loadImages, loadLevel, loadStrings, loadEngine } from './assets.js';
import { Mixer } from './audio.js';
import { Field } from './farm/field.js';
import { draw } from './farm/draw.js';

const TICK_MS = 500;

const canvas = document.querySelector('#field');
const status = document.querySelector('#status');
const mixer = new Mixer();

async function start() {
  const [images, level, strings, engine] = await Promise.all([
    loadImages(),
    loadLevel(levelFromAddress()),
    loadStrings(navigator.language),
    loadEngine(),
  ]);
  const field = new Field(level, engine);
  const context = canvas.getContext('2d');

  const show = () => {
    draw(context, field, images);
    status.textContent = strings.status
      .replace('{day}', field.day)
      .replace('{harvest}', field.harvested);
  };

  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * field.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * field.height);
    if (field.act(x, y)) mixer.play('harvest');
    show();
  });
  document.querySelector('#sow').addEventListener('click', () => {
    field.sowAll();
    show();
  });
  document.querySelector('#sound').addEventListener('click', (event) => {
    const on = mixer.toggle();
    event.currentTarget.setAttribute('aria-pressed', String(on));
  });
  setInterval(() => {
    field.tick();
    show();
  }, TICK_MS);
  show();
}

function levelFromAddress() {
  const wanted = new URLSearchParams(location.search).get('level');
  return wanted ?? '01-meadow';
}

if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js');
start().catch((error) => {
  status.textContent = `Moonfarm could not start: ${error.message}`;
});
//# sourceMappingURL=app.js.map
