using Microsoft.ML.Data;

namespace ModelMaker.Digits;

/// <summary>Input row of ML.NET.</summary>
internal sealed class DigitRow
{
    [VectorType(DigitImage.Size * DigitImage.Size)]
    public float[] Pixels { get; set; } = [];

    /// <summary>The digit; ML.NET adds one, because its key 0 denotes a missing value.</summary>
    [KeyType(10)]
    public uint Label { get; set; }

    public static DigitRow From(DigitImage image) => new() { Pixels = image.Pixels, Label = (uint)image.Label };
}
