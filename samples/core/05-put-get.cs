// An object is stored once and read any number of times.
//
//     dotnet run -c Release samples/core/05-put-get.cs

await using var ray = await Cluster.Init();

ObjectRef<string> example = ray.Put("example");
Console.WriteLine(await ray.Get(example));
