// The page behind the code on a bag: what it is, where it grew, and whether it is real, checked on the visitor's own device.
import { createApp } from "vue";
import "./proof.css";
import ProofPage from "./ProofPage.vue";

createApp(ProofPage).mount("#proof");
