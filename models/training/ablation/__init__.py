"""The paper's Table 4 and Figure 3 in the small: one tiny LLaVA, taught from the same start on different mixtures, compared.

`arms` says what is compared, `talk` what is said about a picture, `views` which pictures and how the tower sees them, `start`
where every cell begins, `cells` trains one, `measures` asks it, `grid` runs all of them and can go on where it was cut off,
`report` and `plot` tell what came out. Called by `markwise train ablation`; `python -m models.training.ablation.grid` is the same.
"""
