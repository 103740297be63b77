import { codecTokensBeside } from '../activities/encryption/index.ts';

/** The codec endpoint: where it listens, whose pages it answers, who may ask. */
export interface CodecConfig {
  host: string;
  port: number;
  origin: string;
  tokensFile: string;
}

interface CodecSettings {
  HOLDFAST_KEY_RING?: string | undefined;
  HOLDFAST_CODEC_HOST: string;
  HOLDFAST_CODEC_PORT?: number | undefined;
  HOLDFAST_CODEC_ORIGIN?: string | undefined;
  HOLDFAST_CODEC_TOKENS?: string | undefined;
}

export const codecConfig = (settings: CodecSettings): CodecConfig | undefined => {
  const {
    HOLDFAST_CODEC_PORT: port,
    HOLDFAST_CODEC_ORIGIN: origin,
    HOLDFAST_KEY_RING: ring,
  } = settings;
  if (port === undefined || origin === undefined || ring === undefined) return undefined;
  const tokensFile = settings.HOLDFAST_CODEC_TOKENS ?? codecTokensBeside(ring);
  return { host: settings.HOLDFAST_CODEC_HOST, port, origin, tokensFile };
};

export const requireCodecSettings = (settings: CodecSettings, problems: string[]): void => {
  if (settings.HOLDFAST_CODEC_PORT === undefined) return;
  if (settings.HOLDFAST_KEY_RING === undefined) {
    problems.push(
      'HOLDFAST_KEY_RING: must be the path of the key ring that HOLDFAST_CODEC_PORT opens',
    );
  }
  if (settings.HOLDFAST_CODEC_ORIGIN === undefined) {
    problems.push('HOLDFAST_CODEC_ORIGIN: must be the origin of the Temporal UI');
  }
};
