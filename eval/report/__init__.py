"""The report of a run: what came in, what was linked, how sure that is, and what a reader should look at.

`summary` holds the figures of a run: counts only, never a personal value. `blocks` and `quality_blocks` ask one
question of them each and answer with a sentence, a table and a chart; `charts` and `quality_charts` draw, as Vega-Lite;
`words` has every text in Chinese and English; `html` writes one page that opens without a network. `explanation` shows
why one pair got its verdict.
"""
