import { z } from 'zod';
import { catalogue } from '../../contracts/catalogue.ts';
import { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import { AccessChangeFile } from '../../contracts/security/access-change-file.ts';
import { ManageAccessProgress } from '../../contracts/security/manage-access.ts';
import { ServiceDefinition } from '../../contracts/delivery/service-definition.ts';
import { AccessFile, DirectoryFile } from '../../contracts/shared/access-file.ts';
import { EnvironmentsFile } from '../../contracts/shared/environments-file.ts';
import {
  LockResolutionSchema,
  MessageSchema,
  PlanDecisionSchema,
  WeightRequestSchema,
} from '../../contracts/shared/message.ts';

/** A JSON Schema as it is published. */
export interface PublishedSchema {
  name: string;
  schema: JsonSchema;
}

/** As much of JSON Schema draft 7 as the pages read. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** `deploy-service` for the workflow `deployService`. */
export const fileNameOf = (workflow: string): string =>
  workflow.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What a caller writes is described as input; what a run answers, as output. */
export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema =>
  z.toJSONSchema(schema, { target: 'draft-7', io }) as JsonSchema;

export const publishedSchemas = (): PublishedSchema[] => [
  { name: 'holdfast', schema: jsonSchemaOf(ServiceDefinition, 'input') },
  { name: 'environments', schema: jsonSchemaOf(EnvironmentsFile, 'input') },
  { name: 'access', schema: jsonSchemaOf(AccessFile, 'input') },
  { name: 'access-change', schema: jsonSchemaOf(AccessChangeFile, 'input') },
  { name: 'directory', schema: jsonSchemaOf(DirectoryFile, 'input') },
  { name: 'message', schema: jsonSchemaOf(MessageSchema, 'input') },
  { name: 'plan-decision', schema: jsonSchemaOf(PlanDecisionSchema, 'input') },
  { name: 'weight-request', schema: jsonSchemaOf(WeightRequestSchema, 'input') },
  { name: 'lock-resolution', schema: jsonSchemaOf(LockResolutionSchema, 'input') },
  ...catalogue.flatMap(({ workflow, input, result }) => [
    { name: `${fileNameOf(workflow)}.input`, schema: jsonSchemaOf(input, 'input') },
    { name: `${fileNameOf(workflow)}.result`, schema: jsonSchemaOf(result, 'output') },
  ]),
  { name: 'deploy-service.progress', schema: jsonSchemaOf(DeployServiceProgress, 'output') },
  { name: 'manage-access.progress', schema: jsonSchemaOf(ManageAccessProgress, 'output') },
];
