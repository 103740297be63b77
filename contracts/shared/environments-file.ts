import { z } from 'zod';
import { HttpUrl } from './http-url.ts';
import { EnvironmentName } from './names.ts';

const Traffic = z
  .union([
    z
      .literal('none')
      .describe('Pods carry no traffic here; gates that need it are reported as not measured.'),
    z
      .strictObject({
        url: HttpUrl.describe('Entry through which users reach services.'),
        host: z
          .string()
          .optional()
          .describe('Host header; `{service}` stands for the name of the service.'),
      })
      .describe('Through a gateway or ingress.'),
    z
      .literal('cluster-ip')
      .describe('Straight to the ClusterIP of the Service; the worker runs where that is routed.'),
  ])
  .describe('How the prober reaches services of this environment.');

const Preview = z
  .enum(['cluster-ip', 'none'])
  .describe(
    'How the prober reaches a new version before it has traffic: at the ClusterIP of its preview Service (if absent, too), or not at all. `traffic: none` implies `none`.',
  );

const Prometheus = z
  .strictObject({
    url: HttpUrl.regex(
      /^[^/]*\/\/[^/@]*(?:\/|$)/,
      'must not carry credentials; name their file',
    ).describe('Address of the HTTP API without `/api/v1`; Thanos, Mimir and Cortex answer alike.'),
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with a bearer token, relative to this file; read before each query.'),
    basicAuth: z
      .strictObject({
        username: z.string().min(1),
        passwordFile: z.string().min(1).describe('Relative to this file; read before each query.'),
      })
      .optional(),
    rulesDirectory: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Directory from which this Prometheus reads rule files (`*.yaml`), as the worker sees it; relative to this file. Needed for `alerts`, as is `--web.enable-lifecycle`.',
      ),
  })
  .refine(({ tokenFile, basicAuth }) => tokenFile === undefined || basicAuth === undefined, {
    message: 'takes a tokenFile or basicAuth, not both',
  });

const Metrics = z
  .strictObject({ prometheus: Prometheus })
  .describe('Where metrics of this environment are read; without it nothing can be analysed.');

const Environment = z
  .strictObject({
    kubeconfig: z
      .string()
      .optional()
      .describe('Path, relative to this file; the usual kubeconfig lookup if absent.'),
    context: z.string().min(1).describe('Context in the kubeconfig; never the current one.'),
    cluster: z
      .uuid()
      .optional()
      .describe('uid of the namespace kube-system; a cluster with another one is refused.'),
    namespace: z.string().min(1).describe('Namespace of the services of this environment.'),
    traffic: Traffic.default('cluster-ip'),
    preview: Preview.optional(),
    metrics: Metrics.optional(),
  })
  .describe('Where an environment is.');

/** The file `environments.yaml`: which cluster and namespace each environment means. */
export const EnvironmentsFile = z
  .strictObject({ environments: z.record(EnvironmentName, Environment) })
  .describe('Maps environments to clusters.');

export type EnvironmentsFile = z.output<typeof EnvironmentsFile>;
export type EnvironmentMapping = EnvironmentsFile['environments'][string];
