"""What twins share: offers, negotiations, agreements, transfers, releases, playbooks. `courier` is the one file that asks other servers."""
