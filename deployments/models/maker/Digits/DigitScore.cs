namespace ModelMaker.Digits;

/// <summary>Output row of ML.NET.</summary>
internal sealed class DigitScore
{
    /// <summary>The digit plus one: ML.NET's raw key.</summary>
    public uint PredictedLabel { get; set; }

    public float[] Score { get; set; } = [];
}
