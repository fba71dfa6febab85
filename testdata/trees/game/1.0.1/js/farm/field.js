import { CROPS, stageOf } from './crops.js';

// A rectangle of plots. A plot is null (not soil), or { crop, age, water }.
export class Field {
  constructor(level, engine) {
    this.width = level.width;
    this.height = level.height;
    this.day = 1;
    this.harvested = 0;
    this.engine = engine;
    this.crop = level.crop;
    this.plots = level.rows
      .flatMap((row) => [...row])
      .map((mark) => (mark === '#' ? { crop: null, age: 0, water: 1 } : null));
  }

  at(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return null;
    return this.plots[y * this.width + x];
  }

  // Sows, waters or harvests, whichever makes sense; true if something was harvested.
  act(x, y) {
    const plot = this.at(x, y);
    if (!plot) return false;
    if (!plot.crop) {
      this.#sow(plot);
      return false;
    }
    if (stageOf(plot) < CROPS[plot.crop].stages) {
      plot.water = Math.min(3, plot.water + 1);
      return false;
    }
    this.harvested += CROPS[plot.crop].yield;
    plot.crop = null;
    plot.age = 0;
    return true;
  }

  sowAll() {
    for (const plot of this.plots) if (plot && !plot.crop) this.#sow(plot);
  }

  tick() {
    this.day += 1;
    this.plots.forEach((plot, i) => {
      if (!plot?.crop) return;
      plot.age += plot.water > 0 ? 1 : 0;
      // The engine's table of weather decides which plots dry out today.
      if (this.engine.weather(i, this.day) < 96) plot.water = Math.max(0, plot.water - 1);
    });
  }

  #sow(plot) {
    plot.crop = this.crop;
    plot.age = 0;
    plot.water = 2;
  }
}
