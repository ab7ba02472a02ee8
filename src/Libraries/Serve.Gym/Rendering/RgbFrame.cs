using System.Globalization;
using System.Text;

namespace Serve.Rl.Rendering;

/// <summary>An image: rows from top to bottom, pixels from left to right, three bytes (red, green, blue) each.</summary>
public sealed class RgbFrame
{
    private readonly byte[] _pixels;

    internal RgbFrame(int width, int height, byte[] pixels) => (Width, Height, _pixels) = (width, height, pixels);

    /// <summary>Gets the width in pixels.</summary>
    public int Width { get; }

    /// <summary>Gets the height in pixels.</summary>
    public int Height { get; }

    /// <summary>Gets the pixels, <see cref="Height"/> × <see cref="Width"/> × 3 bytes.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Gets a pixel.</summary>
    public (byte Red, byte Green, byte Blue) this[int x, int y]
    {
        get
        {
            var offset = ((y * Width) + x) * 3;
            return (_pixels[offset], _pixels[offset + 1], _pixels[offset + 2]);
        }
    }

    /// <summary>Formats the image for a terminal with 24-bit colors: two pixels per character, sampled to a number of columns.</summary>
    public string ToAnsi(int columns = 80)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        columns = Math.Min(columns, Width);
        var rows = Math.Max(1, Height * columns / Width / 2);
        var text = new StringBuilder();
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var (top, bottom) = (Sample(column, 2 * row), Sample(column, (2 * row) + 1));
                text.Append(CultureInfo.InvariantCulture, $"\e[38;2;{top.Red};{top.Green};{top.Blue};48;2;{bottom.Red};{bottom.Green};{bottom.Blue}m▀");
            }

            text.Append("\e[0m\n");
        }

        return text.ToString();

        (byte Red, byte Green, byte Blue) Sample(int column, int halfRow) =>
            this[((2 * column) + 1) * Width / (2 * columns), ((2 * halfRow) + 1) * Height / (4 * rows)];
    }
}
