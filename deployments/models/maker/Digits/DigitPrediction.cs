namespace ModelMaker.Digits;

/// <summary>Classification of an image.</summary>
/// <param name="Label">The digit, 0 to 9.</param>
/// <param name="Probabilities">One per digit; their sum is 1.</param>
public sealed record DigitPrediction(int Label, float[] Probabilities);
