// Deploys a service from another project: `npm install holdfast typescript`, then this file.
// HOLDFAST_STATE_DIR names the directory that `npm start` has printed as its state.
import { createOpsClient } from 'holdfast';

const name = 'hello';
const labels = { app: name };
const readinessProbe = { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 };
const pod = { containers: [{ name, image: 'localhost/shop:1', readinessProbe }] };
const template = { metadata: { labels }, spec: pod };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels },
  spec: { replicas: 1, selector: { matchLabels: labels }, template },
};

await using ops = await createOpsClient();
const run = await ops.delivery.deployService.start({
  service: name,
  environment: 'staging',
  manifests: [deployment],
});
for await (const { progress } of run.watch()) console.log(progress?.status ?? 'no worker answers');
const { outcome, proof } = await run.result();
console.log(`${outcome}, ${String(proof.rows.length)} objects proven`);
