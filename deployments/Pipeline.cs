// Composition: handles to other deployments are constructor parameters; each deployment scales independently.
using Serve;

[Deployment]
public sealed class Pipeline(DeploymentHandle<Resize> resize, DeploymentHandle<Classify> classify)
{
    // The response of one call is the argument of the next one, without awaiting it.
    public async Task<Label> Call(Image image) => await classify.Call.Remote(resize.Call.Remote(image));
}

[Deployment(NumReplicas = 2)]
public sealed class Resize
{
    private const int Side = 4;

    public Image Call(Image image)
    {
        // Nearest neighbour, to Side x Side.
        var pixels = new float[Side * Side];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = image.Pixels[(i / Side * image.Height / Side * image.Width) + (i % Side * image.Width / Side)];
        return new(Side, Side, pixels);
    }
}

[Deployment]
public sealed class Classify
{
    public Label Call(Image image)
    {
        var mean = image.Pixels.Average();
        return new(mean > 0.5 ? "bright" : "dark", mean);
    }
}

public sealed record Image(int Width, int Height, float[] Pixels);

public sealed record Label(string Name, float Score);
