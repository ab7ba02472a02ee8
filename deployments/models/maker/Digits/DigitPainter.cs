namespace ModelMaker.Digits;

/// <summary>
/// Draws digits with random shift, size, slant, thickness and noise. Only exactly rounded operations are used, so that a seed produces the
/// same images on all machines.
/// </summary>
public sealed class DigitPainter(ulong seed)
{
    private readonly SeededRandom random = new(seed);

    /// <summary>Draws images of 0, 1, … 9, 0, 1 and so on.</summary>
    public IReadOnlyList<DigitImage> Paint(int count)
    {
        var images = new DigitImage[count];
        for (var i = 0; i < count; i++)
            images[i] = Draw(i % 10);
        return images;
    }

    private DigitImage Draw(int digit)
    {
        var width = random.Between(3.2, 4.8);
        var height = random.Between(5.0, 6.4);
        var left = (DigitImage.Size - width) / 2 + random.Between(-0.8, 0.8);
        var top = (DigitImage.Size - height) / 2 + random.Between(-0.8, 0.8);
        var slant = random.Between(-0.8, 0.8);
        var pen = random.Between(0.45, 0.95);

        var stroke = Glyphs.Of(digit);
        for (var i = 0; i < stroke.Length; i++)
        {
            var (x, y) = stroke[i];
            stroke[i] = (left + x * width + slant * (0.5 - y), top + y * height);
        }

        var pixels = new float[DigitImage.Size * DigitImage.Size];
        for (var i = 0; i < pixels.Length; i++)
        {
            // Black inside the radius of the pen, white one pixel further out.
            var distance = Distance(stroke, i % DigitImage.Size + 0.5, i / DigitImage.Size + 0.5);
            var ink = Math.Clamp(pen + 0.5 - distance, 0, 1) * DigitImage.Ink + random.Between(-2.5, 2.5);
            pixels[i] = Math.Clamp((int)Math.Round(ink), 0, DigitImage.Ink);
        }

        return new DigitImage(pixels, digit);
    }

    private static double Distance((double X, double Y)[] stroke, double x, double y)
    {
        var least = double.MaxValue;
        for (var i = 1; i < stroke.Length; i++)
        {
            var (ax, ay) = stroke[i - 1];
            var (dx, dy) = (stroke[i].X - ax, stroke[i].Y - ay);
            var along = Math.Clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1);
            var (ex, ey) = (ax + along * dx - x, ay + along * dy - y);
            least = Math.Min(least, ex * ex + ey * ey);
        }

        return Math.Sqrt(least);
    }
}
