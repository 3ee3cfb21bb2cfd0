"""The parts of `support.scripted_people`: what the tester, Ada and the rewriter say, and how they go wrong."""
