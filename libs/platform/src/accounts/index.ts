export { credentialsPath, ensureCredentials, writePrivate, type CredentialsFile } from './credentials.js';
export { coreInbox, CORE_USERS, hostUser, HOST_INBOX, type CoreUser } from './names.js';
export { generateServerConfig, type ClusterConfig, type ServerConfig } from './server-config.js';
