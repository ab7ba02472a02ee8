namespace ModelMaker.Digits;

/// <summary>An image of a digit: 8 rows of 8 pixels from 0 (paper) to 16 (ink), as in the UCI set of scanned digits.</summary>
/// <param name="Pixels">64 whole numbers from 0 to 16, row by row.</param>
/// <param name="Label">The digit, 0 to 9.</param>
public sealed record DigitImage(float[] Pixels, int Label)
{
    /// <summary>Pixels in a row, and rows.</summary>
    public const int Size = 8;

    /// <summary>Value of a black pixel.</summary>
    public const int Ink = 16;
}
