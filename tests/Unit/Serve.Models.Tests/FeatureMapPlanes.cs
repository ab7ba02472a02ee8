namespace Serve.Models.Tests;

/// <summary>Square planes of values, one per channel.</summary>
internal sealed record FeatureMapPlanes(float[] Values, int Channels, int Size)
{
    public FeatureMapPlanes(int channels, int size)
        : this(new float[channels * size * size], channels, size)
    {
    }

    public Span<float> Of(int channel) => Values.AsSpan(channel * Size * Size, Size * Size);

    public float At(int channel, int y, int x, float outside) =>
        y < 0 || x < 0 || y >= Size || x >= Size ? outside : Values[(channel * Size + y) * Size + x];
}
