/** What the run of the suite and the clients that the suite starts have agreed upon. */

/** The variable with the folder whose files are the turns to take. */
export const TURNS = "PORTOLAN_CONFORMANCE_TURNS";

/** The client's last line where everything went as it should: the suite does not look at how a client ends. */
export const AS_EXPECTED = "Everything went as it should";
