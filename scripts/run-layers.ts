import type { LayerResult } from './layer-result.ts';
import type { Layer } from './layers.ts';
import { runLayer } from './run-layer.ts';

export interface LayerRun {
  readonly layer: Layer;
  readonly result: LayerResult;
  readonly seconds: string;
}

export interface LayerEvents {
  readonly onStart?: (layer: Layer) => void;
  readonly onEnd: (run: LayerRun) => void;
}

/** Starts the layers in their order, so many at a time. */
export async function runLayers(
  layers: readonly Layer[],
  atATime: number,
  { onStart, onEnd }: LayerEvents,
): Promise<void> {
  const waiting = [...layers];
  const lane = async (): Promise<void> => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      // A signal has been passed on to what runs; the others would only start to be stopped again.
      if (process.exitCode === 130) return;
      onStart?.(layer);
      const startedAtMs = performance.now();
      const result = await runLayer(layer);
      const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
      onEnd({ layer, result, seconds });
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}
