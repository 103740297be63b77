import { describeRecreated } from '../../conformance/releases-recreated.ts';
import { realSites } from './real-sites.ts';

describeRecreated('the Kubernetes API', realSites());
