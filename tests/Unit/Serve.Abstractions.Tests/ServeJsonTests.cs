using System.Text.Json;

namespace Serve.Abstractions.Tests;

public sealed class ServeJsonTests
{
    [Fact]
    public void Text_IsWrittenAsPeopleReadIt()
    {
        foreach (var dialect in (JsonSerializerOptions[])[ServeJson.Options, ServeJson.State, ServeJson.Calls])
            Assert.Equal("\"Did you mean 'Größe' × 2 < 3?\"", JsonSerializer.Serialize("Did you mean 'Größe' × 2 < 3?", dialect));
    }
}
