// What somebody who is signed in asks of their own account: the second factor beside the password.
import { json, part, root, send } from "./client";
import type { components } from "./types.gen";

type Sent = components["schemas"];
export type FactorState = Sent["FactorState"];
export type FactorBegun = Sent["FactorBegun"];

const at = (twin: string, ...path: string[]) => [root(twin), "session", "second-factor", ...path.map(part)].join("/");

export const accountApi = {
  factor: (twin: string) => json<FactorState>(at(twin)),
  begin: (twin: string, password: string) => send<FactorBegun>("POST", at(twin), { password }),
  /** Answers with the recovery codes, which nobody is shown again. */
  confirm: (twin: string, code: string) => send<Sent["FactorConfirmed"]>("POST", at(twin, "confirmation"), { code }).then((said) => said.recovery),
  end: (twin: string, code = "") => send<FactorState>("POST", at(twin, "end"), { code }),
};
