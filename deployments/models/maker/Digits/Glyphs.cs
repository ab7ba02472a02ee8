using System.Globalization;

namespace ModelMaker.Digits;

/// <summary>The digits as pen strokes in a square from (0, 0), top left, to (1, 1).</summary>
internal static class Glyphs
{
    private static readonly string[] strokes =
    [
        "0.5,0 0.9,0.2 1,0.5 0.9,0.8 0.5,1 0.1,0.8 0,0.5 0.1,0.2 0.5,0",
        "0.2,0.25 0.55,0 0.55,1",
        "0.05,0.25 0.25,0.02 0.7,0 0.95,0.22 0.85,0.48 0,1 1,1",
        "0.05,0.08 0.6,0 0.92,0.22 0.75,0.45 0.4,0.48 0.75,0.52 0.97,0.75 0.65,1 0.05,0.92",
        "0.75,1 0.75,0 0,0.68 1,0.68",
        "0.92,0 0.15,0 0.1,0.45 0.6,0.4 0.95,0.65 0.65,0.98 0.05,0.95",
        "0.8,0 0.3,0.25 0.05,0.65 0.3,1 0.75,0.98 0.95,0.72 0.7,0.5 0.1,0.6",
        "0,0 1,0 0.4,1",
        "0.5,0.46 0.12,0.22 0.5,0 0.88,0.22 0.5,0.46 0.02,0.74 0.5,1 0.98,0.74 0.5,0.46",
        "0.9,0.4 0.3,0.5 0.05,0.28 0.25,0.02 0.7,0 0.95,0.35 0.7,0.75 0.2,1",
    ];

    public static (double X, double Y)[] Of(int digit) =>
    [
        .. strokes[digit].Split(' ').Select(point => point.Split(',')).Select(point => (Number(point[0]), Number(point[1]))),
    ];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
