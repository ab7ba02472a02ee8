namespace ModelMaker.Digits;

/// <summary>What ML.NET answers for a picture.</summary>
internal sealed class DigitScore
{
    /// <summary>The digit plus one: read without a key type, a key is as ML.NET holds it.</summary>
    public uint PredictedLabel { get; set; }

    public float[] Score { get; set; } = [];
}
