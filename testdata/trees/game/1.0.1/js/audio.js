import { SOUNDS } from './assets.js';

// Browsers let a page make sound only after a click, so nothing is created before the first toggle.
export class Mixer {
  #context = null;
  #buffers = new Map();
  #theme = null;

  toggle() {
    if (this.#theme) {
      this.#theme.stop();
      this.#theme = null;
      return false;
    }
    this.#context ??= new AudioContext();
    this.#loop('theme');
    return true;
  }

  async play(name) {
    if (!this.#context) return;
    const source = await this.#source(name);
    source.start();
  }

  async #loop(name) {
    const source = await this.#source(name);
    source.loop = true;
    source.start();
    this.#theme = source;
  }

  async #source(name) {
    if (!this.#buffers.has(name)) {
      const response = await fetch(SOUNDS[name]);
      this.#buffers.set(name, await this.#context.decodeAudioData(await response.arrayBuffer()));
    }
    const source = this.#context.createBufferSource();
    source.buffer = this.#buffers.get(name);
    source.connect(this.#context.destination);
    return source;
  }
}
