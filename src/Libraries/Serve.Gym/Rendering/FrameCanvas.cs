namespace Serve.Rl.Rendering;

/// <summary>Draws filled shapes into an image. Coordinates are pixels from the top left corner; shapes are clipped.</summary>
internal sealed class FrameCanvas
{
    private readonly int _width;
    private readonly int _height;
    private readonly byte[] _pixels;

    public FrameCanvas(int width, int height, Rgb background)
    {
        (_width, _height) = (width, height);
        _pixels = new byte[width * height * 3];
        Rectangle(0, 0, width, height, background);
    }

    public RgbFrame ToFrame() => new(_width, _height, _pixels);

    public void Rectangle(double left, double top, double width, double height, Rgb color)
    {
        var (firstY, endY) = (Clip(top, _height), Clip(top + height, _height));
        for (var y = firstY; y < endY; y++)
            Row(left, left + width, y, color);
    }

    public void Circle(double x, double y, double radius, Rgb color)
    {
        for (var row = Clip(y - radius, _height); row < Clip(y + radius, _height); row++)
        {
            var offset = row + 0.5 - y;
            var half = Math.Sqrt(Math.Max(0, (radius * radius) - (offset * offset)));
            Row(x - half, x + half, row, color);
        }
    }

    /// <summary>Fills a polygon by the even-odd rule.</summary>
    public void Polygon(Rgb color, params ReadOnlySpan<(double X, double Y)> points)
    {
        var (top, bottom) = (double.MaxValue, double.MinValue);
        foreach (var (_, y) in points)
            (top, bottom) = (Math.Min(top, y), Math.Max(bottom, y));

        List<double> crossings = [];
        for (var row = Clip(top, _height); row < Clip(bottom, _height); row++)
        {
            crossings.Clear();
            var center = row + 0.5;
            for (var i = 0; i < points.Length; i++)
            {
                var (a, b) = (points[i], points[(i + 1) % points.Length]);
                if (a.Y <= center != b.Y <= center)
                    crossings.Add(a.X + ((center - a.Y) / (b.Y - a.Y) * (b.X - a.X)));
            }

            crossings.Sort();
            for (var i = 0; i + 1 < crossings.Count; i += 2)
                Row(crossings[i], crossings[i + 1], row, color);
        }
    }

    public void Line((double X, double Y) from, (double X, double Y) to, double thickness, Rgb color)
    {
        var (dx, dy) = (to.X - from.X, to.Y - from.Y);
        var length = Math.Sqrt((dx * dx) + (dy * dy));
        if (length == 0)
            return;
        var (nx, ny) = (-dy / length * thickness / 2, dx / length * thickness / 2);
        Polygon(color, (from.X + nx, from.Y + ny), (to.X + nx, to.Y + ny), (to.X - nx, to.Y - ny), (from.X - nx, from.Y - ny));
    }

    private void Row(double from, double to, int y, Rgb color)
    {
        for (var x = Clip(from, _width); x < Clip(to, _width); x++)
        {
            var offset = ((y * _width) + x) * 3;
            (_pixels[offset], _pixels[offset + 1], _pixels[offset + 2]) = (color.Red, color.Green, color.Blue);
        }
    }

    private static int Clip(double value, int limit) => (int)Math.Clamp(Math.Round(value), 0, limit);
}

/// <summary>A color.</summary>
internal readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    public static Rgb White => new(255, 255, 255);

    public static Rgb Black => new(0, 0, 0);
}
