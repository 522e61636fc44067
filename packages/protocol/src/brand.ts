/** Marks what `defineTask` returns. A registered symbol, since two copies of a package can meet in one thread. */
export const TASK_BRAND: unique symbol = Symbol.for("threadmill.task.v1");
