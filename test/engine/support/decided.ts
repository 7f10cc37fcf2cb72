import program from "../../../index";

/** The project's program, with models of which no version was decided on: in these tests there is no registry to ask. */
export = () => program("assume");
