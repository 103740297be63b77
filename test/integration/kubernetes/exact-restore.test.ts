import { describeExactRestore } from '../../conformance/exact-restore.ts';
import { installRoutes } from './played-gateway.ts';
import { sandboxApi } from './real-site.ts';
import { realSites } from './real-sites.ts';

describeExactRestore(
  'the Kubernetes API',
  realSites(async (sandbox) => installRoutes(await sandboxApi(sandbox))),
);
