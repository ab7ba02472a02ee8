namespace ModelMaker.Digits;

/// <summary>What a classifier says of a picture.</summary>
/// <param name="Label">The digit, 0 to 9.</param>
/// <param name="Probabilities">One for each digit; together 1.</param>
public sealed record DigitPrediction(int Label, float[] Probabilities);
