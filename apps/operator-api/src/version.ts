/** Of this service and of the interface that its OpenAPI document describes. */
export const VERSION = '0.1.0';
