"""Measurements: scripts that print how each figure of the documents was made, and what they share.

`common` has corpora and tables, `serving` servers as processes of their own, `simulate` bots made of articles,
`baselines` other systems and `peer` another server, `chance` hostile requests by chance. A script is run as
`python eval/NAME.py`; `--help` says what it measures and which data it needs.
"""
