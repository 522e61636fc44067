/**
 * Marks the options of a run whose id no caller gave: a client of a remote engine must know the id of its job before the
 * engine has heard of it, and the result is not kept under such an id. A symbol, since it is nobody's option.
 */
export const UNNAMED = Symbol("threadmill.unnamed");
