using Serve.Http;

namespace Serve.Abstractions.Tests.Http;

public sealed class ServerPathRedactorTests
{
    [Theory]
    [InlineData("Could not find file '/home/ann/app/labels.txt'.", "Could not find file 'labels.txt'.")]
    [InlineData("Could not find file '/home/ann/my app/the labels.txt'.", "Could not find file 'the labels.txt'.")]
    [InlineData("/tmp/x/model.onnx cannot be loaded: Load model from /tmp/x/model.onnx failed:Protobuf", "model.onnx cannot be loaded: Load model from model.onnx failed:Protobuf")]
    [InlineData("Load model from /tmp/my models/a b/model.onnx failed", "Load model from model.onnx failed")]
    [InlineData("   at A.B() in /home/ann/app/A.cs:line 12", "   at A.B() in A.cs:line 12")]
    [InlineData("Access to the path \"/etc/ssl/private/\" is denied.", "Access to the path \"private\" is denied.")]
    [InlineData("cannot open file:///usr/lib/x.so", "cannot open x.so")]
    [InlineData("path=/var/lib/serve/packages/ab12;/var/lib/serve/run", "path=ab12;run")]
    [InlineData("(/usr/lib/a.so, /usr/lib/b.so)", "(a.so, b.so)")]
    [InlineData(@"Could not find file 'C:\Users\ann\my app\labels.txt'.", "Could not find file 'labels.txt'.")]
    [InlineData(@"D:\serve\model.onnx cannot be loaded", "model.onnx cannot be loaded")]
    [InlineData(@"see \\files\share\model.onnx", "see model.onnx")]
    public void Redact_FilePath_BecomesItsLastSegment(string text, string expected) => Assert.Equal(expected, ServerPathRedactor.Redact(text));

    [Theory]
    [InlineData("no path")]
    [InlineData("No endpoint for GET '/v2/models/digits/nope'. GET /v2 lists the supported extensions.")]
    [InlineData("No application answers at this path. GET /-/routes lists the route prefixes.")]
    [InlineData("GET http://127.0.0.1:8000/home/ann failed")]
    [InlineData("https://example.com/usr/lib and http://[::1]/tmp/x/y")]
    [InlineData("expected MiB/s, but was 1/2 or a/tmp/b")]
    [InlineData("/tmp is full")]
    [InlineData("text/html; q=0.5, application/json")]
    [InlineData("node '/model.0/layers.1/Conv' of the graph")]
    [InlineData(@"a\b")]
    [InlineData("")]
    public void Redact_OtherText_IsUnchanged(string text) => Assert.Equal(text, ServerPathRedactor.Redact(text));
}
