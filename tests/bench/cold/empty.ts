/** The process itself. */
console.log("ok");
