"""What the two models of wine quality share: their columns, the sample and the recipe. It is no model of its own."""
