using Microsoft.ML.Data;

namespace ModelMaker.Digits;

/// <summary>A picture as ML.NET reads it.</summary>
internal sealed class DigitRow
{
    [VectorType(DigitImage.Size * DigitImage.Size)]
    public float[] Pixels { get; set; } = [];

    /// <summary>The digit; ML.NET itself adds one, as 0 is its word for a missing key.</summary>
    [KeyType(10)]
    public uint Label { get; set; }

    public static DigitRow From(DigitImage image) => new() { Pixels = image.Pixels, Label = (uint)image.Label };
}
