export { exposeEngine } from "./expose.js";
export type { ExposeOptions, Exposure } from "./expose.js";
export { connectEngine } from "./connect.js";
export type { RemoteEngine } from "./connect.js";
export type { RemoteRunOptions } from "./remote-types.js";
export type { RemoteJobHandle } from "./remote-handle.js";
export type { JobSummary } from "./messages.js";
export type { ElectronEndpoint, Endpoint, NodeEndpoint, WebEndpoint } from "./wire.js";
