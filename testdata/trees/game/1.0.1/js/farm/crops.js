export const CROPS = {
  moonwheat: { stages: 3, days: 4, yield: 2, row: 0 },
  starbean: { stages: 3, days: 6, yield: 3, row: 1 },
  nightshade: { stages: 3, days: 9, yield: 5, row: 2 },
};

// 0 for a seed, up to `stages` for a ripe plant.
export function stageOf(plot) {
  const crop = CROPS[plot.crop];
  return Math.min(crop.stages, Math.floor(plot.age / crop.days));
}
