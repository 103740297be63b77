/** Entry of the workflow bundle and the list of workflow types. */
export { deployService } from './delivery/deploy-service.ts';
export { restoreRelease } from './delivery/restore-release.ts';
export { serviceEntity } from './delivery/service-entity.ts';
export { manageAccess } from './security/manage-access.ts';
